#include "app/cli.h"

#include "app/config.h"
#include "app/config_print.h"
#include "app/config_rules.h"
#include "app/control.h"
#include "app/explain_command.h"
#include "app/gateway.h"
#include "app/healthcheck.h"
#include "base/memory.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

/* What the command line says, options collected and words in order. */
struct command {
    const char **files, **sets, **words;
    size_t file_count, set_count, word_count;
    bool wants_ready, wants_help, wants_live;
};

static const char usage[] =
    "usage: mackerel-otel-gateway [VERB] [OPTION ...]\n"
    "\n"
    "verbs:\n"
    "  run             receive OTLP and post to Mackerel (default)\n"
    "  validate        check the configuration and say everything that is wrong\n"
    "  config print    the configuration in force, secrets starred\n"
    "  config schema   JSON Schema of the configuration file\n"
    "  config rules    the rules in force: yours, then the packs\n"
    "  config rule-keys   the keys of a rule as a Markdown table\n"
    "  config docs     every key as a Markdown page\n"
    "  explain FILE|- ... | --live\n"
    "                  where the metrics of OTLP requests go, under which names, at what cost\n"
    "  test FILE ...   run mapping tests (docs/explain.md)\n"
    "  outbox ls | show DESTINATION MINUTE | retry [DESTINATION|all] | drop DESTINATION|all [MINUTE]\n"
    "                  look after what waits to be posted by a running gateway\n"
    "  healthcheck     ask a running gateway whether it lives; exit 0 or 1\n"
    "  version\n"
    "\n"
    "options:\n"
    "  -c, --config FILE|env:NAME|-   YAML configuration; may be given several times\n"
    "      --set key=value            set one key; may be given several times\n"
    "      --live                     explain: what a running gateway posts\n"
    "      --ready                    healthcheck: ask whether it takes requests\n"
    "  -h, --help\n"
    "      --version\n"
    "\n"
    "Without MACKEREL_APIKEY (or mackerel.apikey) it previews: it prints what it would post.\n";

static bool read_command(int argc, char **argv, struct command *command)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"set", required_argument, NULL, 's'},
        {"ready", no_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {"live", no_argument, NULL, 'l'},
        {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        switch (option) {
        case 'c': command->files[command->file_count++] = optarg; break;
        case 's': command->sets[command->set_count++] = optarg; break;
        case 'r': command->wants_ready = true; break;
        case 'l': command->wants_live = true; break;
        case 'h': command->wants_help = true; break;
        case 'v': command->words[command->word_count++] = "version"; break;
        default: return false;
        }
    }
    while (optind < argc)
        command->words[command->word_count++] = argv[optind++];
    return true;
}

/* ---- verbs --------------------------------------------------------------------------------- */

/* Loads or says what is wrong. */
static bool load(const struct command *command, struct config *config)
{
    struct problems problems = {0};

    config_load(config,
                &(struct config_sources){
                    .files = command->files,
                    .file_count = command->file_count,
                    .sets = command->sets,
                    .set_count = command->set_count,
                },
                &problems);

    bool is_good = problems.count == 0;

    if (!is_good)
        fwrite(problems.text.ptr, 1, problems.text.len, stderr);
    problems_release(&problems);
    return is_good;
}

static int print_text(struct buffer *text)
{
    fwrite(text->ptr, 1, text->len, stdout);
    buffer_release(text);
    return fflush(stdout) == 0 ? EXIT_FINE : EXIT_INTERNAL;
}

static int run(const struct command *command, const struct config *config)
{
    (void)command;
    return (int)gateway_run(config);
}

static int validate(const struct command *command, const struct config *config)
{
    (void)command;
    (void)config;
    puts("the configuration is valid");
    return EXIT_FINE;
}

static int print_config(const struct command *command, const struct config *config)
{
    struct buffer text = {0};

    (void)command;
    config_print_values(config, &text);
    return print_text(&text);
}

static int check_health(const struct command *command, const struct config *config)
{
    return healthcheck_run(config->admin_endpoint, command->wants_ready) ? EXIT_FINE
                                                                         : EXIT_UNHEALTHY;
}

static int print_schema(const struct command *command, const struct config *config)
{
    struct buffer text = {0};

    (void)command;
    (void)config;
    config_print_schema(&text);
    return print_text(&text);
}

static int print_rules(const struct command *command, const struct config *config)
{
    struct buffer text = {0};

    (void)command;
    config_rules_print(config, &text);
    return print_text(&text);
}

static int print_rule_keys(const struct command *command, const struct config *config)
{
    struct buffer text = {0};

    (void)command;
    (void)config;
    config_rules_print_keys(&text);
    return print_text(&text);
}

static int print_docs(const struct command *command, const struct config *config)
{
    struct buffer text = {0};

    (void)command;
    (void)config;
    config_print_docs(&text);
    return print_text(&text);
}

/* Asks the running gateway, and prints its answer. */
static int ask_running(const struct config *config, const char *verb, const char *line)
{
    struct buffer answer = {0};
    struct error err;
    char *path = control_path(config);
    int code = EXIT_FINE;

    if (control_ask(path, line, &answer, &err)) {
        code = print_text(&answer);
    } else {
        fprintf(stderr, "%s: %s\n", verb, err.text);
        code = err.kind == ERROR_INVALID ? EXIT_USAGE : EXIT_UNAVAILABLE;
    }
    buffer_release(&answer);
    free(path);
    return code;
}

/* The words behind the verb go to the running gateway as they are. */
static int ask_outbox(const struct command *command, const struct config *config)
{
    struct buffer line = {0};
    int code;

    for (size_t i = 1; i < command->word_count; i++)
        buffer_printf(&line, "%s%s", i > 1 ? " " : "", command->words[i]);
    buffer_append_char(&line, '\0');
    code = ask_running(config, "outbox", line.ptr);
    buffer_release(&line);
    return code;
}

static int want_files(const char *verb)
{
    fprintf(stderr, "%s: which file?\n", verb);
    return EXIT_USAGE;
}

static int explain(const struct command *command, const struct config *config)
{
    if (command->wants_live)
        return ask_running(config, "explain", "explain");
    if (command->word_count < 2)
        return want_files("explain");
    return explain_command(config, command->words + 1, command->word_count - 1);
}

static int test_mapping(const struct command *command, const struct config *config)
{
    if (command->word_count < 2)
        return want_files("test");
    return mapping_test_command(config, command->words + 1, command->word_count - 1);
}

static int print_version(const struct command *command, const struct config *config)
{
    (void)command;
    (void)config;
    puts("mackerel-otel-gateway " GATEWAY_VERSION);
    return EXIT_FINE;
}

static const struct {
    const char *words[2];
    int (*run)(const struct command *command, const struct config *config);
    bool needs_config, takes_words;
} verbs[] = {
    {{NULL}, run, true, false},
    {{"run"}, run, true, false},
    {{"validate"}, validate, true, false},
    {{"config", "print"}, print_config, true, false},
    {{"config", "schema"}, print_schema, false, false},
    {{"config", "rules"}, print_rules, true, false},
    {{"config", "rule-keys"}, print_rule_keys, false, false},
    {{"config", "docs"}, print_docs, false, false},
    {{"explain"}, explain, true, true},
    {{"test"}, test_mapping, true, true},
    {{"outbox"}, ask_outbox, true, true},
    {{"healthcheck"}, check_health, true, false},
    {{"version"}, print_version, false, false},
};

static bool is_verb(size_t verb, const struct command *command)
{
    size_t count = 0;

    while (count < 2 && verbs[verb].words[count])
        count++;
    if (verbs[verb].takes_words ? command->word_count < count
                                : command->word_count != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (strcmp(command->words[i], verbs[verb].words[i]) != 0)
            return false;
    return true;
}

static int execute(size_t verb, const struct command *command)
{
    struct config config = {0};
    int code = EXIT_CONFIG;

    if (!verbs[verb].needs_config || load(command, &config))
        code = verbs[verb].run(command, &config);
    config_release(&config);
    return code;
}

static int choose(const struct command *command)
{
    if (command->wants_help) {
        fputs(usage, stdout);
        return EXIT_FINE;
    }
    for (size_t verb = 0; verb < sizeof(verbs) / sizeof(verbs[0]); verb++)
        if (is_verb(verb, command))
            return execute(verb, command);
    fprintf(stderr, "mackerel-otel-gateway: unknown verb '%s'\n\n%s", command->words[0],
            usage);
    return EXIT_USAGE;
}

int cli_main(int argc, char **argv)
{
    size_t room = (size_t)argc + 1;
    struct command command = {
        .files = memory_new(room, sizeof(char *)),
        .sets = memory_new(room, sizeof(char *)),
        .words = memory_new(room, sizeof(char *)),
    };
    int code = EXIT_USAGE;

    if (read_command(argc, argv, &command))
        code = choose(&command);
    else
        fputs(usage, stderr);
    free(command.files);
    free(command.sets);
    free(command.words);
    return code;
}
