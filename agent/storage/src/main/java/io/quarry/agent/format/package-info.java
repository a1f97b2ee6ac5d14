/** Repository formats, found by name: how volumes, slots and probes look on a kind of storage. */
@NullMarked
package io.quarry.agent.format;

import org.jspecify.annotations.NullMarked;
