#include "tests/sim/chance.h"

/* The finaliser of splitmix64: every bit of the input reaches every bit of the output. */
static uint64_t scramble(uint64_t number)
{
    number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9u;
    number = (number ^ (number >> 27)) * 0x94D049BB133111EBu;
    return number ^ (number >> 31);
}

uint64_t chance_mix(uint64_t a, uint64_t b)
{
    return scramble(scramble(a + 0x9E3779B97F4A7C15u) ^ b);
}

struct chance chance_of(uint64_t seed)
{
    return (struct chance){chance_mix(seed, 0x73696D)};
}

struct chance chance_split(const struct chance *chance, uint64_t tag)
{
    return (struct chance){chance_mix(chance->state, tag)};
}

uint64_t chance_next(struct chance *chance)
{
    chance->state += 0x9E3779B97F4A7C15u;
    return scramble(chance->state);
}

uint64_t chance_below(struct chance *chance, uint64_t below)
{
    return below ? chance_next(chance) % below : 0;
}

uint64_t chance_between(struct chance *chance, uint64_t least, uint64_t most)
{
    return least + chance_below(chance, most - least + 1);
}

bool chance_one_in(struct chance *chance, uint64_t times)
{
    return times && chance_below(chance, times) == 0;
}
