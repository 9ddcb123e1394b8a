#include "pipeline/unit.h"

#include <stddef.h>

/* What can be measured; powers are counted for each. */
enum dimension {
    ONE,
    TIME,
    DATA,
    LENGTH,
    MASS,
    TEMPERATURE,
    CELSIUS, /* begins elsewhere than kelvin: converts only to itself */
    POWER,
    ENERGY,
    TENSION,
    CURRENT,
    DIMENSION_LAST = CURRENT,
};

/* A unit as a fraction of base units, so that powers of ten and two stay exact. */
struct measure {
    double over, under;
    int power[DIMENSION_LAST + 1];
};

struct atom {
    const char *name;
    double over, under;
    enum dimension dimension;
    int power;
    bool takes_prefix, takes_binary_prefix;
};

static const struct atom atoms[] = {
    {"1", 1, 1, ONE, 0, false, false},        {"%", 1, 100, ONE, 0, false, false},
    {"[ppth]", 1, 1e3, ONE, 0, false, false}, {"[ppm]", 1, 1e6, ONE, 0, false, false},
    {"s", 1, 1, TIME, 1, true, false},        {"min", 60, 1, TIME, 1, false, false},
    {"h", 3600, 1, TIME, 1, false, false},    {"d", 86400, 1, TIME, 1, false, false},
    {"wk", 604800, 1, TIME, 1, false, false}, {"Hz", 1, 1, TIME, -1, true, false},
    {"bit", 1, 1, DATA, 1, true, true},       {"By", 8, 1, DATA, 1, true, true},
    {"m", 1, 1, LENGTH, 1, true, false},      {"g", 1, 1, MASS, 1, true, false},
    {"K", 1, 1, TEMPERATURE, 1, true, false}, {"Cel", 1, 1, CELSIUS, 1, false, false},
    {"W", 1, 1, POWER, 1, true, false},       {"J", 1, 1, ENERGY, 1, true, false},
    {"V", 1, 1, TENSION, 1, true, false},     {"A", 1, 1, CURRENT, 1, true, false},
};

static const struct {
    const char *name;
    double over, under;
    bool is_binary;
} prefixes[] = {
    {"da", 10, 1, false},        {"n", 1, 1e9, false},    {"u", 1, 1e6, false},
    {"m", 1, 1e3, false},        {"c", 1, 100, false},    {"d", 1, 10, false},
    {"h", 100, 1, false},        {"k", 1e3, 1, false},    {"M", 1e6, 1, false},
    {"G", 1e9, 1, false},        {"T", 1e12, 1, false},   {"P", 1e15, 1, false},
    {"p", 1, 1e12, false},       {"Ki", 1024, 1, true},   {"Mi", 1048576, 1, true},
    {"Gi", 1073741824, 1, true}, {"Ti", 0x1p40, 1, true}, {"Pi", 0x1p50, 1, true},
};

/* What senders from before UCUM write: Micrometer, Prometheus. */
static const struct {
    const char *word, *unit;
} words[] = {
    {"seconds", "s"},      {"milliseconds", "ms"}, {"microseconds", "us"},
    {"nanoseconds", "ns"}, {"minutes", "min"},     {"hours", "h"},
    {"days", "d"},         {"bytes", "By"},        {"kibibytes", "KiBy"},
    {"mebibytes", "MiBy"}, {"bits", "bit"},        {"percent", "%"},
    {"ratio", "1"},        {"celsius", "Cel"},     {"hertz", "Hz"},
    {"\xC2\xB5s", "us"},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static struct slice skip(struct slice text, size_t count)
{
    return (struct slice){text.ptr + count, text.len - count};
}

static const struct atom *find_atom(struct slice name)
{
    for (size_t i = 0; i < COUNT(atoms); i++)
        if (slice_is(name, atoms[i].name))
            return &atoms[i];
    return NULL;
}

static void multiply(struct measure *unit, const struct atom *atom, double over,
                     double under)
{
    unit->over *= over * atom->over;
    unit->under *= under * atom->under;
    unit->power[atom->dimension] += atom->power;
}

/* An atom, or a prefix and an atom that takes it. */
static bool read_atom(struct slice text, struct measure *unit)
{
    const struct atom *atom = find_atom(text);

    if (atom) {
        multiply(unit, atom, 1, 1);
        return true;
    }
    for (size_t i = 0; i < COUNT(prefixes); i++) {
        if (!slice_starts_with(text, prefixes[i].name))
            continue;
        atom = find_atom(skip(text, strlen(prefixes[i].name)));
        if (!atom ||
            !(prefixes[i].is_binary ? atom->takes_binary_prefix : atom->takes_prefix))
            continue;
        multiply(unit, atom, prefixes[i].over, prefixes[i].under);
        return true;
    }
    return false;
}

/* An atom and its power of one digit; nothing at all is 1 (a mere comment). */
static bool read_part(struct slice text, struct measure *unit)
{
    int power = 1;

    if (text.len == 0)
        return true;
    if (text.len > 1 && text.ptr[text.len - 1] >= '1' && text.ptr[text.len - 1] <= '9') {
        power = text.ptr[text.len - 1] - '0';
        text.len--;
    }
    while (power--)
        if (!read_atom(text, unit))
            return false;
    return true;
}

static void join(struct measure *unit, const struct measure *part, bool divides)
{
    unit->over *= divides ? part->under : part->over;
    unit->under *= divides ? part->over : part->under;
    for (int i = 0; i <= DIMENSION_LAST; i++)
        unit->power[i] += divides ? -part->power[i] : part->power[i];
}

/* Bytes before the next `.`, `/` or comment. */
static size_t part_length(struct slice text)
{
    size_t len = 0;

    while (len < text.len && !strchr("./{", text.ptr[len]))
        len++;
    return len;
}

/* Bytes of the comment that begins here, 0 for none. One without an end reaches to the end. */
static size_t comment_length(struct slice text)
{
    if (text.len == 0 || *text.ptr != '{')
        return 0;

    const char *end = memchr(text.ptr, '}', text.len);

    return end ? (size_t)(end - text.ptr) + 1 : text.len;
}

static struct slice translate(struct slice text)
{
    for (size_t i = 0; i < COUNT(words); i++)
        if (slice_is(text, words[i].word))
            return slice_of(words[i].unit);
    return text;
}

static bool read_unit(struct slice text, struct measure *unit)
{
    bool divides = false;

    *unit = (struct measure){.over = 1, .under = 1};
    text = translate(text);
    while (text.len) {
        struct measure part = {.over = 1, .under = 1};
        size_t len = part_length(text);

        if (!read_part((struct slice){text.ptr, len}, &part))
            return false;
        join(unit, &part, divides);
        text = skip(text, len);
        text = skip(text, comment_length(text));
        if (text.len == 0)
            break;
        if (*text.ptr != '/' && *text.ptr != '.')
            return false;
        divides = *text.ptr == '/';
        text = skip(text, 1);
    }
    return true;
}

static bool measures_same(const struct measure *a, const struct measure *b)
{
    for (int i = 0; i <= DIMENSION_LAST; i++)
        if (a->power[i] != b->power[i])
            return false;
    return true;
}

static bool is_same(const struct measure *a, const struct measure *b)
{
    double left = a->over * b->under, right = b->over * a->under;

    return measures_same(a, b) && !(left < right) && !(left > right);
}

/* Is it the very unit, by whatever spelling? */
static bool is_unit(const struct measure *unit, const char *text)
{
    struct measure other;

    return read_unit(slice_of(text), &other) && is_same(unit, &other);
}

bool unit_convert(struct slice from, struct slice to, struct unit_conversion *conversion)
{
    struct measure source, target;

    if (slice_equal(from, to)) {
        *conversion = (struct unit_conversion){1, ""};
        return true;
    }
    if (!read_unit(from, &source) || !read_unit(to, &target) ||
        !measures_same(&source, &target))
        return false;
    *conversion = (struct unit_conversion){
        (source.over * target.under) / (source.under * target.over),
        is_unit(&target, "%") && !is_unit(&source, "%") ? ".percentage" : "",
    };
    return true;
}

static bool is_operations(struct slice unit, bool per_second)
{
    static const char *const names[] = {"{operation}", "{operations}"};

    for (size_t i = 0; i < COUNT(names); i++) {
        if (!slice_starts_with(unit, names[i]))
            continue;

        struct slice rest = skip(unit, strlen(names[i]));

        return per_second ? rest.len == 0 : slice_is(rest, "/s");
    }
    return false;
}

const char *unit_graph(struct slice unit, bool per_second)
{
    static const struct {
        const char *unit, *name;
    } known[] = {
        {"%", "percentage"}, {"s", "seconds"},      {"ms", "milliseconds"},
        {"By", "bytes"},     {"By/s", "bytes/sec"}, {"bit/s", "bits/sec"},
    };
    struct measure measure;

    if (is_operations(unit, per_second))
        return "iops";
    if (!read_unit(unit, &measure))
        return "float";
    measure.power[TIME] -= per_second;
    for (size_t i = 0; i < COUNT(known); i++)
        if (is_unit(&measure, known[i].unit))
            return known[i].name;
    return "float";
}
