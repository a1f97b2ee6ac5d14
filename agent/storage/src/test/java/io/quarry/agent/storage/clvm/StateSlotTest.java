package io.quarry.agent.storage.clvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class StateSlotTest {
  private static final String DEVICE = "0123456789abcdef0123456789abcdef";
  private static final String HOST = "00112233445566778899aabbccddeeff";
  private static final String OTHER = "ffeeddccbbaa99887766554433221100";

  @TempDir private Path state;

  private StateSlot open(String device, String host) throws IOException {
    return StateSlot.open(state, device, host, "storage/quarry-meta");
  }

  private Path file() {
    return state.resolve("slots").resolve(DEVICE);
  }

  private void keep(int number) throws IOException {
    try (StateSlot slot = open(DEVICE, HOST)) {
      slot.keep(number);
    }
  }

  @Test
  void slotOutlivesTheConnection() throws Exception {
    try (StateSlot slot = open(DEVICE, HOST)) {
      assertThat(slot.key()).isEqualTo(HOST);
      assertThat(slot.slot()).isEmpty();
      slot.keep(3);
      assertThat(slot.slot()).hasValue(3);
      slot.keep(63);
    }
    try (StateSlot slot = open(DEVICE, HOST)) {
      assertThat(slot.slot()).hasValue(63);
    }
  }

  @Test
  void eachDeviceHasASlotOfItsOwn() throws Exception {
    keep(3);
    try (StateSlot slot = open(OTHER, HOST)) {
      assertThat(slot.slot()).isEmpty();
      slot.keep(4);
    }
    try (StateSlot slot = open(DEVICE, HOST)) {
      assertThat(slot.slot()).hasValue(3);
    }
  }

  /** The cell of the slot names the other key. */
  @Test
  void slotOfAnotherHostKeyIsNone() throws Exception {
    keep(3);
    try (StateSlot slot = open(DEVICE, OTHER)) {
      assertThat(slot.slot()).isEmpty();
      slot.keep(5);
      assertThat(slot.slot()).hasValue(5);
    }
  }

  @Test
  void secondAgentWithTheStateDirectoryIsRefused() throws Exception {
    StateSlot first = open(DEVICE, HOST);
    try (first) {
      StorageException refusal =
          catchThrowableOfType(StorageException.class, () -> open(DEVICE, HOST));
      assertThat(refusal.code()).isEqualTo(ErrorCode.REPOSITORY_IN_USE);
      assertThat(refusal.subject()).isEqualTo(file() + ".lock");
      assertThat(refusal).hasMessageContaining("storage/quarry-meta");
      assertThat(refusal.remedy()).contains("state directory of its own");
      // A replaced file does not end the lock.
      first.keep(1);
      assertThatThrownBy(() -> open(DEVICE, HOST)).isInstanceOf(StorageException.class);
    }
    open(DEVICE, HOST).close();
  }

  @Test
  void onlyTheAgentReadsItsFiles() throws Exception {
    keep(3);
    for (Path each : new Path[] {file(), Path.of(file() + ".lock")}) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(each)))
          .isEqualTo("rw-------");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "3",
        "00112233445566778899aabbccddeeff 3\n",
        "00112233445566778899aabbccddeeff 3 00000000\n",
        "\0\0\0\0"
      })
  void damagedFileIsNoMissingOne(String content) throws Exception {
    keep(3);
    Files.writeString(file(), content);
    assertDamaged();
  }

  /** Any letter of the file that is another one. */
  @Test
  void eachLetterCounts() throws Exception {
    keep(3);
    byte[] whole = Files.readAllBytes(file());
    for (int at = 0; at < whole.length; at++) {
      byte[] damaged = whole.clone();
      damaged[at] ^= 1;
      Files.write(file(), damaged);
      assertDamaged();
    }
    Files.write(file(), whole);
    try (StateSlot slot = open(DEVICE, HOST)) {
      assertThat(slot.slot()).hasValue(3);
    }
  }

  private void assertDamaged() throws IOException {
    try (StateSlot slot = open(DEVICE, HOST)) {
      assertThatThrownBy(slot::slot)
          .isInstanceOf(IOException.class)
          .hasMessageContaining("damaged");
    }
  }

  /** A process that died while it replaced the file. */
  @Test
  void leftoverOfAnInterruptedWriteDoesNotCount() throws Exception {
    keep(3);
    Files.writeString(Path.of(file() + ".new"), "half");
    try (StateSlot slot = open(DEVICE, HOST)) {
      assertThat(slot.slot()).hasValue(3);
      slot.keep(4);
      assertThat(slot.slot()).hasValue(4);
    }
    assertThat(Path.of(file() + ".new")).doesNotExist();
  }
}
