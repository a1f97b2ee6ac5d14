package io.quarry.agent.data.os;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.agent.data.os.DeviceMapper.Device;
import io.quarry.agent.data.os.DeviceMapper.DeviceNumber;
import io.quarry.agent.data.os.DmRequest.Target;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The places of {@code linux/dm-ioctl.h}, as dmsetup uses them too; the lab asks a kernel. */
class DmRequestTest {
  private static String text(ByteBuffer buffer, int at, int length) {
    byte[] bytes = new byte[length];
    buffer.get(at, bytes);
    return new String(bytes, StandardCharsets.US_ASCII);
  }

  @Test
  void commandsHaveTheKernelsNumbers() {
    assertThat(DmRequest.version().number()).isEqualTo(0xc138fd00L);
    assertThat(DmRequest.list().number()).isEqualTo(0xc138fd02L);
    assertThat(DmRequest.create("a", "u").number()).isEqualTo(0xc138fd03L);
    assertThat(DmRequest.remove("a").number()).isEqualTo(0xc138fd04L);
    assertThat(DmRequest.resume("a").number()).isEqualTo(0xc138fd06L);
    assertThat(DmRequest.status("a").number()).isEqualTo(0xc138fd07L);
    assertThat(DmRequest.load("a", List.of(), false).number()).isEqualTo(0xc138fd09L);
    assertThat(DmRequest.table("a").number()).isEqualTo(0xc138fd0cL);
  }

  @Test
  void tableFollowsTheHeader() {
    List<Target> targets =
        List.of(new Target(0, 8, "linear", "253:1 2048"), new Target(8, 16, "linear", "253:1 0"));
    ByteBuffer request = DmRequest.load("quarry-a", targets, true).encode(4096);
    assertThat(request.getInt(0)).isEqualTo(4);
    assertThat(request.getInt(12)).isEqualTo(4096);
    assertThat(request.getInt(16)).isEqualTo(312);
    assertThat(request.getInt(20)).isEqualTo(2);
    assertThat(request.getInt(28)).isEqualTo(1);
    assertThat(text(request, 48, 9)).isEqualTo("quarry-a\0");
    assertThat(request.getLong(312)).isZero();
    assertThat(request.getLong(320)).isEqualTo(8);
    assertThat(request.getInt(332)).isEqualTo(56);
    assertThat(text(request, 336, 7)).isEqualTo("linear\0");
    assertThat(text(request, 352, 11)).isEqualTo("253:1 2048\0");
    assertThat(request.getLong(368)).isEqualTo(8);
    assertThat(text(request, 408, 8)).isEqualTo("253:1 0\0");
  }

  @Test
  void longTableGetsRoom() {
    Target target = new Target(0, 8, "linear", "253:1 2048");
    ByteBuffer request =
        DmRequest.load("a", Collections.nCopies(1_000, target), false).encode(4096);
    assertThat(request.capacity()).isEqualTo(312 + 1_000 * 56);
  }

  @Test
  void answerSaysWhatADeviceIs() {
    ByteBuffer answer = DmRequest.create("quarry-a", "UUID-a").encode(4096);
    answer.putInt(24, 2).putInt(28, 1).putLong(40, 0x12_30_fd_45L);
    Device device = new DmRequest.Answer(answer).device();
    assertThat(device)
        .isEqualTo(new Device("quarry-a", "UUID-a", new DeviceNumber(0xfd, 0x12345), 2, true));
  }

  @Test
  void answerListsNames() {
    ByteBuffer answer = DmRequest.list().encode(4096);
    assertThat(new DmRequest.Answer(answer).names()).isEmpty();
    answer.putLong(312, 0xfd00).putInt(320, 24).put(324, "one".getBytes(StandardCharsets.US_ASCII));
    answer.putLong(336, 0xfd01).putInt(344, 0).put(348, "two".getBytes(StandardCharsets.US_ASCII));
    assertThat(new DmRequest.Answer(answer).names()).containsExactly("one", "two");
    assertThat(answer.order()).isEqualTo(ByteOrder.nativeOrder());
  }

  @Test
  void nameThatIsTooLongIsRefused() {
    assertThatThrownBy(() -> DmRequest.status("x".repeat(128)).encode(4096))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
