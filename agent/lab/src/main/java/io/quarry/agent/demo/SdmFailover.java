package io.quarry.agent.demo;

import java.time.Duration;

/**
 * The failover after the SDM of a repository was killed.
 *
 * @param killToSdm from SIGKILL to the first sight of the new SDM
 * @param killToCommit from SIGKILL to the answer of a commit that was sent right after it
 */
public record SdmFailover(
    String repoId,
    String killedHostId,
    String newHostId,
    Duration killToSdm,
    Duration killToCommit) {}
