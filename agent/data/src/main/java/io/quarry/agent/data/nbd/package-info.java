/**
 * Network block devices over unix-domain sockets. A QEMU server reads and writes the content of its
 * formats, so agents need not know them.
 */
@NullMarked
package io.quarry.agent.data.nbd;

import org.jspecify.annotations.NullMarked;
