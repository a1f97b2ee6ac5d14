/**
 * Runs fixes: claims one, runs its stages from the last checkpoint, reports the end. One file per
 * type of fix.
 */
@NullMarked
package io.quarry.agent.fix;

import org.jspecify.annotations.NullMarked;
