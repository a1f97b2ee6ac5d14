/** What callers can get wrong. */
@NullMarked
package io.quarry.it.api;

import org.jspecify.annotations.NullMarked;
