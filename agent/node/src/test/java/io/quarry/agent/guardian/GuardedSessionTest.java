package io.quarry.agent.guardian;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.coordinator.cluster.ProofOfDeath;
import io.quarry.coordinator.cluster.SessionInfo;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

final class GuardedSessionTest {
  private static final GuardedSession SESSION = session(new byte[] {1, 2});

  @Test
  void messageCarriesEveryField() throws Exception {
    assertThat(read(SESSION.toMessage())).usingRecursiveComparison().isEqualTo(SESSION);
  }

  @Test
  void tornMessageIsTheEndOfTheStream() throws Exception {
    byte[] message = SESSION.toMessage();
    assertThatThrownBy(() -> read(Arrays.copyOf(message, message.length - 1)))
        .isInstanceOf(EOFException.class);
  }

  @Test
  void messageThatCouldBeTornIsRefused() {
    GuardedSession large = session(new byte[GuardedSession.MESSAGE_BYTES_MAX]);
    assertThatThrownBy(large::toMessage).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void passwordStaysOutOfTheLog() {
    assertThat(SESSION.toString()).isEqualTo("session 0x10 of incarnation 0001");
  }

  private static GuardedSession session(byte[] proof) {
    return new GuardedSession(
        new SessionInfo("127.0.0.1:2181", 16, new byte[16], Duration.ofSeconds(15)),
        new ProofOfDeath(List.of("/quarry", "/quarry/dead"), "/quarry/dead/0001", proof),
        "0001");
  }

  private static GuardedSession read(byte[] message) throws IOException {
    return GuardedSession.readMessage(new DataInputStream(new ByteArrayInputStream(message)));
  }
}
