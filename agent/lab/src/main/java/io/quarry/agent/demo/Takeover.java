package io.quarry.agent.demo;

import java.time.Duration;

/**
 * One host going on with a copy where a killed one left it.
 *
 * @param percentAtKill last seen before the kill
 * @param killToClaim from SIGKILL to the first sight of the new claim
 * @param bytesFrom the checkpoint that the new host went on from
 * @param bytesCopiedTwice what the killed one had written beyond it
 */
public record Takeover(
    String killedHostId,
    String newHostId,
    int percentAtKill,
    Duration killToClaim,
    long bytesFrom,
    long bytesCopiedTwice) {}
