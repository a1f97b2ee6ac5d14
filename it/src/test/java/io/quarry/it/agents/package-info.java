/** Whole agents on machines of the lab, with a repository that they share. */
@NullMarked
package io.quarry.it.agents;

import org.jspecify.annotations.NullMarked;
