/**
 * Network block devices over unix-domain sockets: how the content of QEMU's formats is read and
 * written without knowing them.
 */
@NullMarked
package io.quarry.agent.data.nbd;

import org.jspecify.annotations.NullMarked;
