/**
 * The cost of Quarry, always beside a peer in the same run: {@code ./verify bench}. The benchmarks
 * assert nothing, and only report whether goals are met.
 */
@NullMarked
package io.quarry.it.bench;

import org.jspecify.annotations.NullMarked;
