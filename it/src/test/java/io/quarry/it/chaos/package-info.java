/** Real processes under faults that a seed decides. */
@NullMarked
package io.quarry.it.chaos;

import org.jspecify.annotations.NullMarked;
