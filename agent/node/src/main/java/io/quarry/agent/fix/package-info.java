/**
 * Fixes at work: claim one, run its stages from the last checkpoint, report the end. One file per
 * type of fix.
 */
@NullMarked
package io.quarry.agent.fix;

import org.jspecify.annotations.NullMarked;
