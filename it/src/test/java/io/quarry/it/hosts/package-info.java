/** What hosts know of each other. */
@NullMarked
package io.quarry.it.hosts;

import org.jspecify.annotations.NullMarked;
