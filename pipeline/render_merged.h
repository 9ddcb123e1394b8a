/*
 * Gauges and up-down counters: the values of a cell's streams merged into one, or into one for each
 * merge of the cell's plan (values.md, "Gauges and up-down counters").
 */
#ifndef PIPELINE_RENDER_MERGED_H
#define PIPELINE_RENDER_MERGED_H

#include "pipeline/rendering.h"

void render_merged(struct rendering *rendering);

#endif
