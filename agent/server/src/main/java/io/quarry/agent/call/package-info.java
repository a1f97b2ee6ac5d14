/** The call that an agent serves at the moment, for all parts of the agent. */
@NullMarked
package io.quarry.agent.call;

import org.jspecify.annotations.NullMarked;
