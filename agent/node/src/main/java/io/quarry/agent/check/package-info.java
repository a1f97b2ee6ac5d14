/** Finds out what a repository could do with, and what it suffers from. */
@NullMarked
package io.quarry.agent.check;

import org.jspecify.annotations.NullMarked;
