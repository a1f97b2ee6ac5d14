/** The HTTP API, also with the mistakes of callers. */
@NullMarked
package io.quarry.it.api;

import org.jspecify.annotations.NullMarked;
