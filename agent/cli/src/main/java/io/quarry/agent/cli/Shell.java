package io.quarry.agent.cli;

import io.quarry.common.api.StorageApi;
import java.io.InputStream;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * What a command finds around it, so that tests can bring their own.
 *
 * @param connect gives the API of any of these agents
 * @param terminal whether somebody watches standard error
 */
record Shell(
    Function<List<URI>, StorageApi> connect,
    Map<String, String> environment,
    InputStream in,
    boolean terminal,
    Time time) {

  Shell {
    environment = Map.copyOf(environment);
  }

  /** The clock that waiting commands live by. */
  interface Time {
    long nanos();

    void pause(Duration duration);
  }
}
