/** Starts, wakes and watches an agent's long-lived threads, and their waits. */
@NullMarked
package io.quarry.coordinator.thread;

import org.jspecify.annotations.NullMarked;
