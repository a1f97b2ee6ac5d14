/** What scenarios share: clusters, repositories, guests. */
@NullMarked
package io.quarry.it.box;

import org.jspecify.annotations.NullMarked;
