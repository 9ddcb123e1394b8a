#include "app/cli.h"
#include "base/memory.h"

int main(int argc, char **argv)
{
    memory_return_large();
    return cli_main(argc, argv);
}
