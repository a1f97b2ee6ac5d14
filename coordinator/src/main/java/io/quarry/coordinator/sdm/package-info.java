/**
 * The one writer of a repository: a bounded queue, one thread that plans, commits and applies, and
 * a term that ends when another writer appears.
 */
@NullMarked
package io.quarry.coordinator.sdm;

import org.jspecify.annotations.NullMarked;
