/** Data movement: sources, targets, windows, checkpoints and verification. */
@NullMarked
package io.quarry.agent.data;

import org.jspecify.annotations.NullMarked;
