package io.quarry.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Case 12.24: two hosts that advertise one address passed a call to each other until all places for
 * calls were taken.
 */
@Timeout(120)
final class OneAddressTest {
  @Test
  void callIsForwardedOnce(@TempDir Path directory) throws Exception {
    try (var agents = AgentsUnderTest.start(directory, 1)) {
      URI first = agents.client(0).agents().getFirst();
      agents.add("host-1", first);
      await()
          .atMost(AgentsUnderTest.PATIENCE)
          .until(() -> agents.client(0).listHosts().size() == 2);
      refused(() -> agents.client(0).drainHost("host-1", true));
      assertThat(calls(first, "drainHost")).isEqualTo(2);
      refused(() -> agents.client(0).releaseTask("host-1:mend-v1:3"));
      assertThat(calls(first, "releaseTask")).isEqualTo(2);
      // A call at the host itself need not be passed on.
      agents.client(1).drainHost("host-1", true);
      agents.client(1).drainHost("host-1", false);
    }
  }

  private static void refused(ThrowingCallable call) {
    StorageException refusal = catchThrowableOfType(StorageException.class, call);
    assertThat(refusal.code()).isEqualTo(ErrorCode.HOST_NOT_FOUND);
    assertThat(refusal.subject()).isEqualTo("host-1");
    assertThat(refusal.getMessage()).contains("host-1 advertises http://127.0.0.1:", "host-0");
    assertThat(refusal.remedy()).contains("advertise");
  }

  /** How many requests for the operation the agent has answered. */
  private static int calls(URI agent, String verb) throws Exception {
    try (HttpClient http = HttpClient.newHttpClient()) {
      HttpRequest request = HttpRequest.newBuilder(agent.resolve("/metrics")).build();
      return http.send(request, BodyHandlers.ofString())
          .body()
          .lines()
          .filter(line -> line.startsWith("quarry_http_requests_seconds_count"))
          .filter(line -> line.contains("operation=\"" + verb + "\""))
          .mapToInt(line -> (int) Double.parseDouble(line.substring(line.lastIndexOf(' '))))
          .sum();
    }
  }
}
