/** Reports which fixes a repository could use, and which problems it has. */
@NullMarked
package io.quarry.agent.check;

import org.jspecify.annotations.NullMarked;
