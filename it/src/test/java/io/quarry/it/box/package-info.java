/** The common parts of scenarios: clusters, repositories, guests. */
@NullMarked
package io.quarry.it.box;

import org.jspecify.annotations.NullMarked;
