/*
 * `test FILE...`: mapping tests that users write beside their configuration. A file is a YAML list:
 *
 *   - name: latency goes to the service        # default: the place in the file
 *     input: checkout.bin                      # or a list; OTLP requests, paths as seen from the file
 *     expect:                                  # each must be posted
 *       - {service: checkout, name: http.server.request.duration.p99}
 *       - {host: web-1, name: loadavg5, value: 0.25, minute: 1795518000}
 *     absent:                                  # none of these may be
 *       - {service: checkout, name: "*.secret.*"}
 *
 * A host is named by its Mackerel id, custom identifier or name. A name may have wildcards (* and ?); in
 * `expect` one name that fits is enough. Without a value it is enough that the name would be posted; with one, a
 * minute (any, if none is given) must have it, to 1e-9.
 *
 * The inputs go through a rehearsal (app/rehearsal.h): the pipeline itself is what is tested.
 */
#ifndef APP_MAPPING_TEST_H
#define APP_MAPPING_TEST_H

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "pipeline/options.h"

#include <stdbool.h>
#include <stddef.h>

struct mapping_results {
    size_t passed, failed;
};

/* Runs the tests of a file and appends a line for each. False when the file is no list of tests, or an
 * input cannot be read. */
bool mapping_test_run(const char *path, const struct pipeline_options *options,
                      struct mapping_results *results, struct buffer *out,
                      struct error *err) MUST_CHECK;

#endif
