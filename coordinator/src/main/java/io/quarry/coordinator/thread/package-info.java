/** How an agent's long-lived threads are started, woken, waited in, and watched over. */
@NullMarked
package io.quarry.coordinator.thread;

import org.jspecify.annotations.NullMarked;
