/*
 * cmocka, with the headers that it needs before it.
 */
#ifndef TESTS_EXPORTER_UNIT_H
#define TESTS_EXPORTER_UNIT_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#endif
