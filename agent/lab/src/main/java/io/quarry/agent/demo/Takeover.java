package io.quarry.agent.demo;

import java.time.Duration;

/**
 * A takeover: one host continues a copy from a killed host's checkpoint.
 *
 * @param percentAtKill last seen before the kill
 * @param killToClaim from SIGKILL to the first sight of the new claim
 * @param bytesFrom the checkpoint from which the new host continued
 * @param bytesCopiedTwice the bytes that the killed host had written behind the checkpoint
 */
public record Takeover(
    String killedHostId,
    String newHostId,
    int percentAtKill,
    Duration killToClaim,
    long bytesFrom,
    long bytesCopiedTwice) {}
