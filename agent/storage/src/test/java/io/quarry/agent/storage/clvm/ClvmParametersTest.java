package io.quarry.agent.storage.clvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quarry.agent.storage.directory.VolumeOptions;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ClvmParametersTest {
  /** Words such as {@code vg=storage}, separated by spaces. */
  private static ClvmParameters parameters(String words) {
    Map<String, String> parameters = new HashMap<>();
    for (String word : words.split(" ", -1)) {
      int equals = word.indexOf('=');
      parameters.put(word.substring(0, equals), word.substring(equals + 1));
    }
    return ClvmParameters.of(parameters);
  }

  private static StorageException refusal(String words) {
    return catchThrowableOfType(StorageException.class, () -> parameters(words));
  }

  @Test
  void volumeGroupIsEnough() {
    assertThat(parameters("vg=storage"))
        .isEqualTo(
            new ClvmParameters(
                "storage",
                "quarry-meta",
                "quarry-data",
                1L << 30,
                VolumeOptions.ofRepository(VolumeOptions.ANY, VolumeOptions.ANY)));
  }

  @Test
  void allCanBeChosen() {
    assertThat(
            parameters(
                "vg=a+b_c.d-1 meta=log data=space chunk=512M" + " owner=107 group=1234567890"))
        .isEqualTo(
            new ClvmParameters(
                "a+b_c.d-1",
                "log",
                "space",
                512L << 20,
                VolumeOptions.ofRepository(107, 1_234_567_890)));
    assertThat(parameters("vg=x chunk=16777216").chunkBytes()).isEqualTo(16 << 20);
    assertThat(parameters("vg=x chunk=1.5GiB").chunkBytes()).isEqualTo(3L << 29);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          meta=log | vg | vg is missing
          vg= | vg | vg is missing
          vg=/dev/storage | vg | vg is a path
          vg=storage/quarry-meta | vg | vg is a path
          vg=-storage | vg | no name that LVM accepts: -storage
          vg=. | vg | no name that LVM accepts
          vg=.. | vg | no name that LVM accepts
          vg=a:b | vg | no name that LVM accepts
          vg=b@d | vg | no name that LVM accepts
          vg=größe | vg | no name that LVM accepts
          vg=storage meta=/dev/storage/log | meta | meta is a path
          vg=storage data=storage/data | data | data is a path
          vg=storage meta= | meta | meta is no name that LVM accepts
          vg=storage data=-data | data | data is no name that LVM accepts
          vg=storage data=.. | data | data is no name that LVM accepts
          vg=storage meta=one data=one | data | both storage/one
          vg=storage data=quarry-meta | data | both storage/quarry-meta
          vg=storage chunk=1X | chunk | is not a size
          vg=storage chunk= | chunk | is not a size
          vg=storage chunk=0 | chunk | no multiple of 16M
          vg=storage chunk=8M | chunk | no multiple of 16M
          vg=storage chunk=1000000000 | chunk | no multiple of 16M
          vg=storage chunk=2T | chunk | up to 1T
          vg=storage owner=root | owner | no number
          vg=storage group=-1 | group | no number
          vg=storage group=2147483647 | group | no number up to 2147483646
          vg=storage fencing=none | fencing | no parameter fencing
          vg=storage path=/x | path | no parameter path
          """)
  void wrongParameterIsNamed(String words, String field, String why) {
    StorageException refusal = refusal(words);
    assertThat(refusal.code()).isEqualTo(ErrorCode.INVALID_ARGUMENT);
    assertThat(refusal.subject()).isEqualTo("connectionParameters." + field);
    assertThat(refusal).hasMessageContaining(why);
    assertThat(refusal.remedy()).isNotBlank();
  }

  @ParameterizedTest
  @CsvSource({
    "storage, data, storage-data",
    "storage, quarry-data, storage-quarry--data",
    "a-b, c--d-, a--b-c----d--"
  })
  void mapperDoublesHyphens(String vg, String lv, String name) {
    assertThat(MapperName.of(vg, lv)).isEqualTo(name);
  }

  /** The kernel's names have 127 bytes, with doubled hyphens. */
  @ParameterizedTest
  @ValueSource(strings = {"x", "-"})
  void namesFitIntoTheMapper(String letter) {
    String vg = "v" + letter.repeat(letter.equals("-") ? 50 : 100);
    String fits = "m" + "x".repeat(24);
    assertThat(parameters("vg=" + vg + " data=d meta=" + fits).meta()).isEqualTo(fits);
    StorageException refusal = refusal("vg=" + vg + " data=d meta=" + fits + "x");
    assertThat(refusal).hasMessageContaining("no room for the name");
    assertThat(refusal.subject()).isEqualTo("connectionParameters.meta");
  }
}
