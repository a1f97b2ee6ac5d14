/**
 * The agent's parent process. When the agent dies, the guardian ends what the agent started, then
 * closes the agent's session, which proves the death to the cluster.
 */
@NullMarked
package io.quarry.agent.guardian;

import org.jspecify.annotations.NullMarked;
