/** The storage API: its verbs, its requests, and one exception with an error code. */
@NullMarked
package io.quarry.common.api;

import org.jspecify.annotations.NullMarked;
