/*
 * Names of devices as mackerel-agent has them on each platform, and which it leaves out.
 */
#ifndef PIPELINE_NATIVE_DEVICE_H
#define PIPELINE_NATIVE_DEVICE_H

#include "base/buffer.h"
#include "base/ledger.h"
#include "pipeline/native_input.h"

/*
 * Names the device that the point is about in `text` and sets input->device. False, with the reason,
 * when the point has no device or one that is left out. `text` may receive more behind the name.
 */
bool native_device_read(const struct native_question *question,
                        struct otlp_attributes walk, struct buffer *text,
                        struct native_input *input, enum reason *why);

/* The mountpoint of a filesystem's point; false where it has none. */
bool native_device_mount(struct otlp_attributes walk, struct otlp_attribute *mount);

#endif
