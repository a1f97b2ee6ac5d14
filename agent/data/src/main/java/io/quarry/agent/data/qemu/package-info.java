/** QEMU's tools and image files. */
@NullMarked
package io.quarry.agent.data.qemu;

import org.jspecify.annotations.NullMarked;
