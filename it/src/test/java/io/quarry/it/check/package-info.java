/** What a check finds. */
@NullMarked
package io.quarry.it.check;

import org.jspecify.annotations.NullMarked;
