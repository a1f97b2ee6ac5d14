/**
 * The commit log: numbered records made visible by put-if-absent, and the checkpoints that shorten
 * the replay.
 */
@NullMarked
package io.quarry.coordinator.log;

import org.jspecify.annotations.NullMarked;
