package io.quarry.it.fencing;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.data.os.Folder;
import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.agent.dev.LocalHost;
import io.quarry.agent.storage.directory.DirectorySlotStore;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.ImageQuery;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.coordinator.log.LogReader;
import io.quarry.coordinator.plan.CancelRequest;
import io.quarry.coordinator.plan.Reply;
import io.quarry.it.box.Box;
import io.quarry.it.box.Pausing;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * An agent sleeps for a long time with a call in its socket. Without a cancellation the agent would
 * commit the call when it wakes up, after the caller was told that nothing was changed.
 */
@Timeout(300)
final class SleepingCallIT {
  private static final String REQUEST = "sleeping-1";
  private static final String BODY = "{\"size\": 1048576}";

  @TempDir static Path directory;

  private static Box box;

  private String repoId;

  @BeforeAll
  static void start() throws Exception {
    box =
        Box.start(
            LocalClusterOptions.in(directory)
                .withHosts(3)
                .withSessionTimeout(Duration.ofSeconds(5)));
  }

  @AfterAll
  static void stop() {
    if (box != null) {
      box.close();
    }
  }

  @BeforeEach
  void nameRepository() {
    repoId = box.newName();
  }

  @Test
  void cancelledCallIsNotCommittedByTheAgentThatSleptWithIt() throws Exception {
    box.connect(repoId, 0);
    box.connect(repoId, 1);
    LocalHost sleeper = box.host(0);
    sleeper.pauseAgent();
    await().atMost(Box.PATIENCE).until(() -> Pausing.stopped(sleeper));
    try (Socket caller = send(sleeper.url())) {
      assertThat(box.client(1).cancelRequest(repoId, REQUEST).committed()).isFalse();
      sleeper.resumeAgent();
      String answer = new String(caller.getInputStream().readAllBytes(), UTF_8);
      assertThat(answer).startsWith("HTTP/1.1 409 ").contains("REQUEST_ID_REUSED", "cancelled");
    }
    sleeper.awaitReady(Box.PATIENCE);
    assertThat(box.client(0).listImages(repoId, ImageQuery.ALL).images()).isEmpty();
  }

  /**
   * The next SDM refuses the call. The calling agent cannot know whether the earlier SDM, which
   * sleeps with the call, will commit it.
   */
  @Test
  void refusalAfterALostTryIsInTheLog() throws Exception {
    box.connect(repoId, 0);
    assertThat(box.awaitSdm(repoId, 0)).isEqualTo(box.hostIds().getFirst());
    box.connect(repoId);
    LocalHost sleeper = box.host(0);
    sleeper.pauseAgent();
    await().atMost(Box.PATIENCE).until(() -> Pausing.stopped(sleeper));
    assertThatThrownBy(
            () -> box.client(1).removeImage(repoId, "absent", RemoveImageOptions.DEFAULT, REQUEST))
        .extracting("code")
        .isEqualTo(ErrorCode.IMAGE_NOT_FOUND);
    sleeper.resumeAgent();
    try (var slots = new DirectorySlotStore(Folder.open(box.repository(repoId)), "test-reader")) {
      Reply recorded = new LogReader(slots).load().repository().requests().find(REQUEST);
      assertThat(recorded).isNotNull().matches(CancelRequest::made);
    }
    sleeper.awaitReady(Box.PATIENCE);
  }

  /** From then on the kernel of the agent's host holds the call, and the agent gets no other. */
  private Socket send(URI agent) throws Exception {
    Socket socket = new Socket(agent.getHost(), agent.getPort());
    socket.setSoTimeout((int) Box.PATIENCE.toMillis());
    String head =
        """
        POST /v1/repositories/%s/virtual-disks HTTP/1.1
        Host: localhost
        Connection: close
        Content-Type: application/json
        Content-Length: %d
        Idempotency-Key: %s

        """
            .formatted(repoId, BODY.length(), REQUEST)
            .replace("\n", "\r\n");
    socket.getOutputStream().write((head + BODY).getBytes(US_ASCII));
    socket.getOutputStream().flush();
    return socket;
  }
}
