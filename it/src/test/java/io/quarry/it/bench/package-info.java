/** Benchmarks: what Quarry does side by side with the tools that people use today. */
@NullMarked
package io.quarry.it.bench;

import org.jspecify.annotations.NullMarked;
