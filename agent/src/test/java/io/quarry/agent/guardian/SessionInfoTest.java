package io.quarry.agent.guardian;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

final class SessionInfoTest {
  private static final SessionInfo SESSION = session("/quarry/dead/host-1", new byte[] {1, 2});

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
    SessionInfo large = session("/dead", new byte[SessionInfo.MESSAGE_BYTES_MAX]);
    assertThatThrownBy(large::toMessage).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void passwordStaysOutOfTheLog() {
    assertThat(SESSION.toString()).isEqualTo("session 0x10 of host host-1, incarnation 0001");
  }

  @Test
  void relativeProofPathIsRefused() {
    assertThatThrownBy(() -> session("dead/host-1", new byte[0]))
        .hasMessageContaining("dead/host-1");
  }

  private static SessionInfo session(String proofPath, byte[] proof) {
    return new SessionInfo(
        "127.0.0.1:2181/quarry",
        16,
        new byte[16],
        Duration.ofSeconds(15),
        "host-1",
        "0001",
        proofPath,
        proof);
  }

  private static SessionInfo read(byte[] message) throws IOException {
    return SessionInfo.readMessage(new DataInputStream(new ByteArrayInputStream(message)));
  }
}
