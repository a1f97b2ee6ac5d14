/** What images take of a storage. */
@NullMarked
package io.quarry.it.space;

import org.jspecify.annotations.NullMarked;
