package io.quarry.agent.storage.nfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class NfsParametersTest {
  /** Words such as {@code server=nas}, separated by spaces. */
  private static Map<String, String> parameters(String words) {
    Map<String, String> parameters = new HashMap<>();
    for (String word : words.split(" ", -1)) {
      int equals = word.indexOf('=');
      parameters.put(word.substring(0, equals), word.substring(equals + 1));
    }
    return parameters;
  }

  private static NfsExport export(String words) {
    return ((NfsParameters.Place.Exported) NfsParameters.of(parameters(words)).place()).export();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          export=/e | server | server is missing
          server=nas | export | export is missing
          options=port=1 | server | server is missing
          path=/p server=nas export=/e | server | both given
          path=/p options=port=1 | options | both given
          path=relative | path | not absolute
          server=nas export=e | export | no absolute path
          server=-o export=/e | server | no host name
          server=nas:/x export=/e | server | no host name
          server=nas, export=/e | server | no host name
          server=nas export=/e options=soft | options | "soft" cannot be chosen
          server=nas export=/e options=nolock | options | "nolock" cannot be chosen
          server=nas export=/e options=lookupcache=all | options | cannot be chosen
          server=nas export=/e options=addr=10.0.0.1 | options | cannot be chosen
          server=nas export=/e options=vers=3 | options | vers has no value "3"
          server=nas export=/e options=vers=4.0 | options | vers has no value "4.0"
          server=nas export=/e options=port=0 | options | port has no value "0"
          server=nas export=/e options=nconnect=17 | options | nconnect has no value "17"
          server=nas export=/e options=port=1,port=2 | options | given twice
          server=nas export=/e options=port=1, | options | cannot be chosen
          server=nas export=/e owner=root | owner | no number
          server=nas export=/e group=kvm | group | no number
          server=nas export=/e group=2147483647 | group | no number up to 2147483646
          server=nas export=/e group=9999999999 | group | no number
          server=nas export=/e owner=-1 | owner | no number
          server=nas export=/srv/../e | export | component
          server=nas export=/./e | export | component
          server=nas export=/e mode=0660 | mode | no parameter mode
          server=nas export=/e qemuGroup=1 | qemuGroup | no parameter qemuGroup
          server=nas export=/e immutable=true | immutable | no parameter immutable
          """)
  void wrongParameterIsNamed(String words, String field, String why) {
    StorageException refusal =
        catchThrowableOfType(StorageException.class, () -> NfsParameters.of(parameters(words)));
    assertThat(refusal.code()).isEqualTo(ErrorCode.INVALID_ARGUMENT);
    assertThat(refusal.subject()).isEqualTo("connectionParameters." + field);
    assertThat(refusal).hasMessageContaining(why);
    assertThat(refusal.remedy()).isNotBlank();
  }

  @Test
  void agentAsksForWhatSafetyNeeds() {
    NfsExport export = export("server=nas export=/srv/quarry options=nconnect=4,port=2050");
    assertThat(NfsMountOptions.versions(export)).isEqualTo(List.of("4.2", "4.1"));
    assertThat(NfsMountOptions.of(export, "4.2"))
        .isEqualTo("vers=4.2,hard,nosharecache,lookupcache=positive,nconnect=4,port=2050");
    NfsExport older = export("server=nas export=/srv/quarry options=vers=4.1");
    assertThat(NfsMountOptions.versions(older)).isEqualTo(List.of("4.1"));
    assertThat(NfsMountOptions.of(older, "4.1"))
        .isEqualTo("vers=4.1,hard,nosharecache,lookupcache=positive");
  }

  @Test
  void exportAndOptionsNameTheMountPoint() {
    String plain = export("server=nas export=/e").mountPoint();
    assertThat(plain).matches("[0-9a-f]{16}");
    assertThat(export("server=nas export=/e options=").mountPoint()).isEqualTo(plain);
    assertThat(export("server=nas export=/f").mountPoint()).isNotEqualTo(plain);
    assertThat(export("server=nas export=/e options=nconnect=4,port=1").mountPoint())
        .isEqualTo(export("server=nas export=/e options=port=1,nconnect=4").mountPoint())
        .isNotEqualTo(plain);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/srv/quarry", "/srv/quarry/", "//srv//quarry//"})
  void exportIsSpelledAsTheKernelListsIt(String spelled) {
    assertThat(export("server=nas export=" + spelled).source()).isEqualTo("nas:/srv/quarry");
    assertThat(export("server=nas export=/").source()).isEqualTo("nas:/");
  }

  @Test
  void numberMayBeThatOfADirectoryService() {
    NfsParameters found =
        NfsParameters.of(parameters("server=nas export=/e owner=1234567890 group=2147483646"));
    assertThat(found.volumes().owner()).isEqualTo(1_234_567_890);
    assertThat(found.volumes().group()).isEqualTo(2_147_483_646);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          500 | 600 | run the agent as user 500,
          500 | 0 | no_root_squash
          0 | 0 | no_root_squash
          500 | 500 | chmod
          -1 | 600 | as the owner of the exported directory
          """)
  void remedyKeepsTheDirectoryWithTheOtherHosts(int owner, int user, String remedy) {
    assertThat(NfsFormat.remedyOfRefusal(owner, user)).contains(remedy);
  }

  @Test
  void addressOfVersionSixGetsItsBrackets() {
    assertThat(export("server=2001:db8::1 export=/e").source()).isEqualTo("[2001:db8::1]:/e");
    assertThat(export("server=[2001:db8::1] export=/e").source()).isEqualTo("[2001:db8::1]:/e");
    assertThat(export("server=10.0.0.1 export=/e").source()).isEqualTo("10.0.0.1:/e");
  }
}
