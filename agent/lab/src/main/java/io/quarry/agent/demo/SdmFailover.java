package io.quarry.agent.demo;

import java.time.Duration;

/**
 * A repository's manager being killed and replaced.
 *
 * @param killToSdm from SIGKILL to the first sight of the new one
 * @param killToCommit from SIGKILL to the answer of a commit that was asked for right after it
 */
public record SdmFailover(
    String repoId,
    String killedHostId,
    String newHostId,
    Duration killToSdm,
    Duration killToCommit) {}
