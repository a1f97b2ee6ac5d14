/**
 * The engine's side of the API: finds a reachable agent, repeats what is safe to repeat, and names
 * each request so that the agents can recognise it.
 */
@NullMarked
package io.quarry.common.client;

import org.jspecify.annotations.NullMarked;
