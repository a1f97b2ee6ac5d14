package io.quarry.common.client;

import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;

/**
 * @param deadline until when a call is repeated before it fails
 * @param attemptTimeout how long one agent gets to answer before the next is asked
 * @param lostTryOver how long after sending a call an agent may still run it, when the answer was
 *     lost. Until then the client neither cancels the call nor believes the refusal of a later try
 * @param requestIds makes the id of each request that has none
 * @param jitter from 0 to 1; spreads pauses
 */
public record ClientSettings(
    Duration deadline,
    Duration attemptTimeout,
    Duration lostTryOver,
    Supplier<String> requestIds,
    DoubleSupplier jitter) {

  public static final ClientSettings DEFAULT = within(Duration.ofSeconds(60));

  public static ClientSettings within(Duration deadline) {
    return new ClientSettings(
        deadline,
        Duration.ofSeconds(15),
        Duration.ofSeconds(40),
        () -> UUID.randomUUID().toString(),
        () -> ThreadLocalRandom.current().nextDouble());
  }
}
