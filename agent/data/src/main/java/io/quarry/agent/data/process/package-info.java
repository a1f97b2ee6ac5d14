/** External tools as children that cannot outlive the agent or the claim that they work for. */
@NullMarked
package io.quarry.agent.data.process;

import org.jspecify.annotations.NullMarked;
