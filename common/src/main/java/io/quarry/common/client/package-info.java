/**
 * The engine's side of the API. Finds a reachable agent, repeats calls that are safe to repeat, and
 * names each request so that agents recognise it.
 */
@NullMarked
package io.quarry.common.client;

import org.jspecify.annotations.NullMarked;
