/**
 * What Quarry costs, always beside a peer in the same run: {@code ./verify bench}. Nothing here is
 * asserted; goals are reported as met or not.
 */
@NullMarked
package io.quarry.it.bench;

import org.jspecify.annotations.NullMarked;
