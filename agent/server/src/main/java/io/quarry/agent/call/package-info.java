/** The call that an agent serves at the moment, as all parts of the agent may know it. */
@NullMarked
package io.quarry.agent.call;

import org.jspecify.annotations.NullMarked;
