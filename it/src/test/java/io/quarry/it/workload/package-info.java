/**
 * All failures at once. The longest test has the last name, since the last name is the first one to
 * run.
 */
@NullMarked
package io.quarry.it.workload;

import org.jspecify.annotations.NullMarked;
